package pages

var numbersPages = []page{}
