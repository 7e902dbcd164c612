package pages

var peoplePages = []page{}
