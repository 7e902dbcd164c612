package pages

var rulesPages = []page{}
