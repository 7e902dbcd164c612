package settings

// readProject reads one project's block. previous is what [Mask] keeps; it is
// empty for a file.
func readProject(b reader, previous Project, rules []string) Project {
	p := defaultProject()
	b.require("id", "a name of its own, for example shop: small letters, digits and -, up to 40")
	b.text("id", &p.ID, "1 to 40 small letters, digits and -, for example shop",
		shape(projectID, "is not 1 to 40 small letters, digits and -"))
	p.Name = p.ID
	b.text("name", &p.Name, "a name for people, for example Shop", notEmpty, tidy)
	b.text("locale", &p.Locale, "", oneOf("a language that texts exist in", "uk", "ru", "en"))
	b.text("time_zone", &p.TimeZone, "a name of the IANA time zone list, for example Europe/Kyiv", timeZone)
	b.text("country", &p.Country, "the two capital letters of a country, for example UA", country)

	portal, ok := b.block("bitrix24", keysOf[Bitrix24]())
	portal.flag("allow_insecure", &p.Bitrix24.AllowInsecure) // first: it holds for Ringostat's API too
	readRingostat(b, &p, previous.Ringostat)
	switch {
	case ok:
		readBitrix(portal, &p.Bitrix24, previous.Bitrix24)
	case !b.has("bitrix24"):
		b.complain("bitrix24", "is missing, so nothing could be written", "a block with `webhook:`, "+wantWebhook)
	}
	readEmployees(b, &p)
	const wantSenior = "the Bitrix24 user id of the senior manager, a number above 0, for example 1; it stands in the address of that person's page"
	b.require("senior", wantSenior)
	b.whole("senior", &p.Senior, 1, wantSenior)
	readScenarios(b, &p, rules)
	readFields(b, &p)
	return p
}
