package pages

var numbersTexts = texts{}
