package pages

var parkedTexts = texts{}
