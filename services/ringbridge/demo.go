package main

type demoCmd struct{}

func (demoCmd) Run(c console) error { return nil }
