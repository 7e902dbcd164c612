package rules

// The article's headings, as printed: pointers for people who compare the table with it.
const (
	answeredNew     = "Принят входящий звонок от нового клиента"
	answeredOpen    = "Принят входящий звонок от существующего клиента (есть открытый лид / сделка)"
	answeredContact = "Принят входящий звонок от существующего клиента (есть открытый контакт без лида / сделки)"
	notAnswered     = "Не принят входящий звонок"
	outgoing        = "Исходящие звонки от менеджеров"
	voicemail       = "Звонок поступивший на голосовую почту"
	notes           = "Важные примечания"
)

func says(section string, points ...int) Source { return Source{Section: section, Points: points} }

func silent(english, ukrainian, russian string) Source {
	return Source{Reason: Text{english, ukrainian, russian}}
}

// but adds why we chose so where a cited sentence leaves room.
func (s Source) but(english, ukrainian, russian string) Source {
	s.Reason = Text{english, ukrainian, russian}
	return s
}

// The steps that rules share.

func lead(on Role) Step { return Step{Make: Lead, On: on, With: []Detail{TrafficSource}} }

func done(with ...Detail) Step {
	return Step{Task: Done, On: OnAnswerer, Closed: true, With: append([]Detail{Recording}, with...)}
}

func review(due Due) Step {
	return Step{Task: Review, On: OnOwner, Due: due, With: []Detail{Recording}}
}

func contact(on Role, with ...Detail) Step {
	return Step{Task: Contact, On: on, Due: DueCallback, With: with}
}

func checkSettings() Step {
	return Step{Task: CheckSettings, On: OnSenior, With: []Detail{LineName, Recording}}
}

// onlyWhen narrows a step to the inbound calls of its rule that ended so, taken by such an answerer.
func (s Step) onlyWhen(outcomes []Outcome, answerers ...Answerer) Step {
	s.When = When{Directions: []Direction{Inbound}, Outcomes: outcomes, Answerers: answerers}
	return s
}

// The left halves. A row names its clients and answerers in full, because a mistake likes to hide under a wildcard.

func in(outcome Outcome, client Client, answerers ...Answerer) When {
	return When{[]Direction{Inbound}, []Outcome{outcome}, []Client{client}, answerers}
}

func out(client Client, answerers ...Answerer) When {
	return When{[]Direction{Outbound}, []Outcome{Answered, Missed}, []Client{client}, answerers}
}

// table holds one row per sentence of the article that decides something, in its order, and after them the rows for
// what the article leaves open. An id is never given to another meaning.
var table = []Rule{
	// Answered, new client.
	{"answered/new", says(answeredNew, 1, 2, 3, 4),
		in(Answered, NewClient, ByEmployee),
		[]Step{lead(OnAnswerer), done(VisitData)}},
	{"answered/new/unmapped", says(answeredNew, 1, 5).but(
		"the lead is made all the same, on the senior manager, so that the client isn't lost",
		"лід усе одно створюється, на старшого менеджера, щоб не втратити клієнта",
		"лид всё равно создаётся, на старшего менеджера, чтобы не потерять клиента"),
		in(Answered, NewClient, ByUnmapped),
		[]Step{lead(OnSenior), checkSettings()}},

	// Answered, open lead or deal.
	{"answered/open/owner", says(answeredOpen, 1),
		in(Answered, OpenClient, ByOwner),
		[]Step{done()}},
	{"answered/open/other", says(answeredOpen, 2),
		in(Answered, OpenClient, ByEmployee),
		[]Step{done(), review(NoDue)}},
	{"answered/open/unmapped", says(answeredOpen, 3),
		in(Answered, OpenClient, ByUnmapped),
		[]Step{checkSettings()}},

	// Answered, contact with nothing open.
	{"answered/contact/owner", says(answeredContact, 1),
		in(Answered, ContactOnly, ByOwner),
		[]Step{lead(OnAnswerer), done()}},
	{"answered/contact/other", says(answeredContact, 2),
		in(Answered, ContactOnly, ByEmployee),
		[]Step{lead(OnAnswerer), done(), review(DueReview)}},
	{"answered/contact/unmapped", silent(
		"a call on such a line asks to check the settings everywhere else; the lead is made so that the call isn't lost",
		"дзвінок на таку лінію всюди вимагає перевірити налаштування; лід створюється, щоб не втратити дзвінок",
		"звонок на такую линию везде требует проверить настройки; лид создаётся, чтобы не потерять звонок"),
		in(Answered, ContactOnly, ByUnmapped),
		[]Step{lead(OnSenior), checkSettings()}},

	// Missed.
	{"missed/open", says(notAnswered, 1),
		in(Missed, OpenClient, ByNobody),
		[]Step{contact(OnOwner)}},
	{"missed/contact", silent(
		"a contact has a responsible too, who knows the client best",
		"контакт теж має відповідального, і він знає клієнта найкраще",
		"у контакта тоже есть ответственный, и он знает клиента лучше всех"),
		in(Missed, ContactOnly, ByNobody),
		[]Step{contact(OnOwner)}},
	{"missed/new", says(notAnswered, 2),
		in(Missed, NewClient, ByNobody),
		[]Step{lead(OnMissed), contact(OnMissed, VisitData)}},

	// Outgoing.
	{"outbound/open/owner", says(outgoing, 1),
		out(OpenClient, ByOwner),
		[]Step{done(CallStatus)}},
	{"outbound/open/other", silent(
		"a colleague's call belongs to the client's history too",
		"дзвінок колеги теж належить до історії клієнта",
		"звонок коллеги тоже относится к истории клиента"),
		out(OpenClient, ByEmployee),
		[]Step{done(CallStatus)}},
	{"outbound/open/unmapped", silent(
		"nobody known made the call, so the settings need a look, as with inbound calls",
		"невідомо, хто телефонував, тож треба перевірити налаштування, як і для вхідних",
		"неизвестно, кто звонил, поэтому нужно проверить настройки, как и для входящих"),
		out(OpenClient, ByUnmapped),
		[]Step{checkSettings()}},
	{"outbound/new", says(outgoing, 2),
		out(NewClient, ByEmployee, ByUnmapped),
		nil},
	{"outbound/contact", says(outgoing, 3),
		out(ContactOnly, ByOwner, ByEmployee),
		[]Step{done(CallStatus)}},
	{"outbound/contact/unmapped", silent(
		"nobody known made the call, so the settings need a look, as with inbound calls",
		"невідомо, хто телефонував, тож треба перевірити налаштування, як і для вхідних",
		"неизвестно, кто звонил, поэтому нужно проверить настройки, как и для входящих"),
		out(ContactOnly, ByUnmapped),
		[]Step{checkSettings()}},

	// Voicemail.
	{"voicemail/new", says(voicemail, 1),
		in(Voicemail, NewClient, ByNobody),
		[]Step{lead(OnMissed), contact(OnMissed, Recording, VisitData)}},
	{"voicemail/open", says(voicemail, 2),
		in(Voicemail, OpenClient, ByNobody),
		[]Step{contact(OnOwner, Recording)}},
	{"voicemail/contact", silent(
		"a contact has a responsible too, as for a missed call",
		"контакт теж має відповідального, як і для пропущеного дзвінка",
		"у контакта тоже есть ответственный, как и для пропущенного звонка"),
		in(Voicemail, ContactOnly, ByNobody),
		[]Step{contact(OnOwner, Recording)}},

	// Notes, and what no sentence covers.
	{"internal", says(notes, 2),
		When{Directions: []Direction{Internal}},
		nil},
	{"anonymous", silent(
		"without a number there is no client to look up, but the call must not disappear",
		"без номера немає кого шукати в CRM, але дзвінок не має зникнути",
		"без номера некого искать в CRM, но звонок не должен пропасть"),
		When{Directions: []Direction{Inbound, Outbound}, Clients: []Client{Anonymous}},
		[]Step{
			contact(OnSenior, Recording).onlyWhen([]Outcome{Missed, Voicemail}, ByNobody),
			done().onlyWhen([]Outcome{Answered}, ByEmployee),
			checkSettings().onlyWhen([]Outcome{Answered}, ByUnmapped),
		}},
}
