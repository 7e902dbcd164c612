package pages

var callsTexts = texts{}
