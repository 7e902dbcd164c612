package pages

var healthTexts = texts{}
