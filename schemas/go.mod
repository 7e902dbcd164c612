module github.com/ringbridge/ringbridge/schemas

go 1.26.0
