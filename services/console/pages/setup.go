package pages

var setupPages = []page{}
