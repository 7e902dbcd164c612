package pages

var rulesTexts = texts{}
