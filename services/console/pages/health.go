package pages

var healthPages = []page{}
