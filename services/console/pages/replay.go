package pages

var replayPages = []page{}
