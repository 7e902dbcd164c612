package pages

var replayTexts = texts{}
