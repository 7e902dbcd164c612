package scenario

import "fmt"

// Sentence is one sentence of Ringostat's article that promises a behaviour, and where that promise is proven.
type Sentence struct {
	Section   string   // the article's heading; for the text before the first heading, which list of it
	Point     string   // "п. 2": second point of the section's list; "абз. 11": eleventh paragraph; "стр. 7": seventh bullet
	Says      string   // what it promises, in our words
	Scenarios []string // names of the scenarios that point to it
	Tests     []string // end-to-end tests of services/ringbridge for what the table doesn't see
}

// Pointer names the sentence as scenario files do.
func (s Sentence) Pointer() string { return s.Section + ", " + s.Point }

// Sentences returns every sentence of the article that promises a behaviour, in its order, with the scenarios out of
// all that prove it. An error names a scenario that points to a sentence which isn't there.
func Sentences(all []Scenario) ([]Sentence, error) {
	sentences := article()
	index := map[string]*Sentence{}
	for i := range sentences {
		index[sentences[i].Pointer()] = &sentences[i]
	}
	for _, s := range all {
		for _, pointer := range s.Article {
			sentence := index[pointer]
			if sentence == nil {
				return nil, fmt.Errorf("%s points to %q, which is not in the index of the article", s.Name, pointer)
			}
			sentence.Scenarios = append(sentence.Scenarios, s.Name)
		}
	}
	return sentences, nil
}

// The headings, as printed. The text before the first heading holds two lists: the kinds of integration, and what the
// one described can do.
const (
	kinds           = "Введение, список видов интеграции"
	abilities       = "Введение, список возможностей"
	webhook         = "Создание вебхука в Битрикс24"
	employees       = "Создание сотрудников в Ringostat"
	answeredNew     = "Принят входящий звонок от нового клиента"
	answeredOpen    = "Принят входящий звонок от существующего клиента (есть открытый лид / сделка)"
	answeredContact = "Принят входящий звонок от существующего клиента (есть открытый контакт без лида / сделки)"
	notAnswered     = "Не принят входящий звонок"
	outgoing        = "Исходящие звонки от менеджеров"
	voicemail       = "Звонок поступивший на голосовую почту"
	notes           = "Важные примечания"
)

// article leaves out what promises no behaviour of ours: where to click in the two products, the other kind of
// integration, and the fields of an employee that only Ringostat uses.
func article() []Sentence {
	return []Sentence{
		at(kinds, "п. 1", "leads and deals go to the manager who took the call, with the traffic source; the CRM learns of a call after it is over",
			"TestNothingIsWrittenBeforeTheCallIsOver", "TestLeadCarriesTheTrafficSource"),

		at(abilities, "п. 1", "an incoming call from a new client makes a lead, a deal, a contact or several of them, as set",
			"TestANewClientBecomesWhatTheSettingSays", "TestAPortalWithoutLeadsGetsAContactAndADeal"),
		at(abilities, "п. 2", "the source of the call is bound to the lead or deal", "TestLeadCarriesTheTrafficSource"),
		at(abilities, "п. 3", "the Google Client ID of the visit is passed on", "TestLeadCarriesTheGoogleClientID"),
		at(abilities, "п. 4", "a missed call gives the responsible a task, for new and for running deals"),
		at(abilities, "п. 5", "when a colleague took the call, the responsible gets a task to check what was said"),
		at(abilities, "п. 6", "successful calls, in and out, leave a closed task with the recording", "TestClosedTaskLinksTheRecording"),
		at(abilities, "п. 7", "the responsible or the senior manager gets a task where one is needed"),

		at(webhook, "абз. 8", "the webhook can be given in its three parts: portal, user, secret", "TestTheWebhookIsTakenWholeOrInThreeParts"),
		at(webhook, "абз. 11", "with a right webhook the users of the portal are listed", "TestTheUsersOfThePortalAreListed"),

		at(employees, "стр. 1", "the employee's code tells who was on the call", "TestAnEmployeeIsKnownByCodeExtensionSIPAndNumber"),
		at(employees, "стр. 6", "the extension tells who was on the call", "TestAnEmployeeIsKnownByCodeExtensionSIPAndNumber"),
		at(employees, "стр. 7", "an employee takes part in the distribution of missed calls, or doesn't",
			"TestMissedNewClientsGoRoundTheEmployeesWhoTakeThem"),
		at(employees, "стр. 8", "the phone number tells who was on the call", "TestAnEmployeeIsKnownByCodeExtensionSIPAndNumber"),
		at(employees, "стр. 9", "the SIP account tells who was on the call", "TestAnEmployeeIsKnownByCodeExtensionSIPAndNumber"),
		at(employees, "абз. 6", "employees are tied to users of the portal", "TestEveryEmployeeIsTiedToAUserOfThePortal"),
		at(employees, "абз. 7", "one manager is chosen as the senior manager"),
		at(employees, "абз. 8", "UTM tags arrive in the lead's and deal's fields for them", "TestLeadCarriesTheTrafficSource"),

		at(answeredNew, "п. 1", "after the call a lead with UTM tags is made", "TestLeadCarriesTheTrafficSource"),
		at(answeredNew, "п. 2", "the manager who took the call is responsible for the lead"),
		at(answeredNew, "п. 3", "that manager gets a closed task with a link to the recording", "TestClosedTaskLinksTheRecording"),
		at(answeredNew, "п. 4", "the task shows the data of the visit", "TestClosedTaskShowsTheVisit"),
		at(answeredNew, "п. 5", "on a line of no employee the senior manager is asked to check the settings", "TestCheckSettingsTaskNamesTheLine"),

		at(answeredOpen, "п. 1", "taken by the responsible: a closed task with the recording on the lead or deal", "TestClosedTaskLinksTheRecording"),
		at(answeredOpen, "п. 2", "taken by somebody else: a closed task for that manager, an open one for the responsible"),
		at(answeredOpen, "п. 3", "on a line of no employee the senior manager is asked to check the settings", "TestCheckSettingsTaskNamesTheLine"),

		at(answeredContact, "п. 1", "taken by the contact's responsible: a lead, and a closed task on it and on the contact", "TestLeadOfAContactIsBoundToIt"),
		at(answeredContact, "п. 2", "taken by somebody else: lead and closed task are that manager's, the contact's responsible gets a task due in 3 hours",
			"TestReviewTaskIsDueInThreeHours"),

		at(notAnswered, "п. 1", "an existing client: the responsible gets a task to contact the client"),
		at(notAnswered, "п. 2", "a new client: a lead on the senior manager, with a task to contact the client"),

		at(outgoing, "п. 1", "by the responsible to an existing client: a closed task with recording and status", "TestOutgoingTaskShowsTheStatus"),
		at(outgoing, "п. 2", "to a number that no contact has: nothing is made"),
		at(outgoing, "п. 3", "to a client with a contact only: just a task for the caller, with the recording"),

		at(voicemail, "п. 1", "a new client: a lead on the senior manager, with a task to contact the client and the voicemail", "TestVoicemailTaskLinksTheMessage"),
		at(voicemail, "п. 2", "an existing client: a task for the responsible, with the voicemail if one was left", "TestVoicemailTaskLinksTheMessage"),

		at(notes, "п. 1", "a contact whose number is spelt otherwise is doubled; ours finds any spelling unless phone_match is exact",
			"TestANumberInAnySpellingFindsItsContact", "TestExactMatchingMakesASecondContact"),
		at(notes, "п. 2", "calls between employees are not passed on"),
		at(notes, "п. 3", "after a transfer with talk the CRM has the recording of the first manager (ours has every one, and the last who talked is responsible)", "TestATransferredCallKeepsTheFirstRecordingAndTheOthers"),
	}
}

func at(section, point, says string, tests ...string) Sentence {
	return Sentence{Section: section, Point: point, Says: says, Tests: tests}
}
