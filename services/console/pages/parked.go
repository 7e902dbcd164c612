package pages

var parkedPages = []page{}
