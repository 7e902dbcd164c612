package pages

var callsPages = []page{}
