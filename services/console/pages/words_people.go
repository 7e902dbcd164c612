package pages

var peopleTexts = texts{}
