package pages

var setupTexts = texts{}
