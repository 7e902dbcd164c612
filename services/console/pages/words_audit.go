package pages

var auditTexts = texts{}
