package ringostat

import "fmt"

// Unreadable says in plain words why a request cannot be used, and what a
// person can do about it. Reason and Remedy are in English; In has them in the
// product's languages. None of the texts holds a value of the request.
type Unreadable struct {
	Reason string
	Remedy string

	what flaw
	args []any
}

func (u *Unreadable) Error() string { return u.Reason }

// In gives reason and remedy in uk, ru or en; in English for any other language.
func (u *Unreadable) In(lang string) (reason, remedy string) {
	t, ok := flaws[u.what][lang]
	if !ok {
		return u.Reason, u.Remedy
	}
	return fmt.Sprintf(t.reason, u.args...), t.remedy
}

// flaw names a way in which a request cannot be used.
type flaw int

const (
	notJSON flaw = iota + 1
	brokenMultipart
	brokenJSON
	severalCalls
	noParameters
	longCallID
	noCallID
	noStatus
	noClient
)

// unreadable makes the error; its English texts stand in the table too.
func unreadable(what flaw, args ...any) *Unreadable {
	u := &Unreadable{what: what, args: args}
	u.Reason, u.Remedy = u.In("en")
	return u
}

type flawText struct{ reason, remedy string }

// flaws are the texts. For missing parameters the first value is the list of
// names that were looked for, the second what the request has instead.
var flaws = map[flaw]map[string]flawText{
	notJSON: {
		"en": {"the body is announced as JSON and is not a JSON object", "choose JSON or a form as the data format of the webhook in Ringostat"},
		"uk": {"тіло запиту названо JSON, але це не об’єкт JSON", "оберіть JSON або форму як формат даних вебхука в Ringostat"},
		"ru": {"тело запроса названо JSON, но это не объект JSON", "выберите JSON или форму как формат данных вебхука в Ringostat"},
	},
	brokenMultipart: {
		"en": {"the multipart form in the body is broken", "choose JSON or a form as the data format of the webhook in Ringostat"},
		"uk": {"форма в тілі запиту пошкоджена", "оберіть JSON або звичайну форму як формат даних вебхука в Ringostat"},
		"ru": {"форма в теле запроса повреждена", "выберите JSON или обычную форму как формат данных вебхука в Ringostat"},
	},
	brokenJSON: {
		"en": {"the JSON in the body is broken or cut off", "look at the raw request; if it is whole, choose a form as the data format of the webhook in Ringostat"},
		"uk": {"JSON у тілі запиту пошкоджений або обрізаний", "подивіться на сам запит; якщо він цілий, оберіть форму як формат даних вебхука в Ringostat"},
		"ru": {"JSON в теле запроса повреждён или обрезан", "посмотрите на сам запрос; если он целый, выберите форму как формат данных вебхука в Ringostat"},
	},
	severalCalls: {
		"en": {"the body is a list of several calls, a webhook brings one", "send one request for each call"},
		"uk": {"у тілі запиту список кількох дзвінків, а вебхук передає один", "надсилайте окремий запит для кожного дзвінка"},
		"ru": {"в теле запроса список нескольких звонков, а вебхук передаёт один", "отправляйте отдельный запрос для каждого звонка"},
	},
	noParameters: {
		"en": {"the request carries no parameters", "choose parameters for this webhook in Ringostat: at least the call id, the status, the date, who calls and who is called"},
		"uk": {"у запиті немає параметрів", "оберіть параметри цього вебхука в Ringostat: щонайменше ідентифікатор дзвінка, статус, дату, хто телефонує і кому"},
		"ru": {"в запросе нет параметров", "выберите параметры этого вебхука в Ringostat: как минимум идентификатор звонка, статус, дату, кто звонит и кому"},
	},
	longCallID: {
		"en": {"the call id has more than %d characters", "check which parameter is named as call_id under ringostat.fields"},
		"uk": {"ідентифікатор дзвінка довший за %d символів", "перевірте, який параметр названо call_id у ringostat.fields"},
		"ru": {"идентификатор звонка длиннее %d символов", "проверьте, какой параметр назван call_id в ringostat.fields"},
	},
	noCallID: {
		"en": {"no call id: looked for %s; the request has %s", missingEnglish + "{call_id: NAME}"},
		"uk": {"немає ідентифікатора дзвінка: шукали %s; у запиті є %s", missingUkrainian + "{call_id: НАЗВА}"},
		"ru": {"нет идентификатора звонка: искали %s; в запросе есть %s", missingRussian + "{call_id: ИМЯ}"},
	},
	noStatus: {
		"en": {"no call status and no talk time of a finished call: looked for %s; the request has %s", missingEnglish + "{status: NAME}"},
		"uk": {"немає ні статусу, ні часу розмови завершеного дзвінка: шукали %s; у запиті є %s", missingUkrainian + "{status: НАЗВА}"},
		"ru": {"нет ни статуса, ни времени разговора завершённого звонка: искали %s; в запросе есть %s", missingRussian + "{status: ИМЯ}"},
	},
	noClient: {
		"en": {"no parameter with the client's number: looked for %s; the request has %s", missingEnglish + "{caller: NAME}, or {callee: NAME} for outgoing calls"},
		"uk": {"немає параметра з номером клієнта: шукали %s; у запиті є %s", missingUkrainian + "{caller: НАЗВА}, а для вихідних дзвінків {callee: НАЗВА}"},
		"ru": {"нет параметра с номером клиента: искали %s; в запросе есть %s", missingRussian + "{caller: ИМЯ}, а для исходящих звонков {callee: ИМЯ}"},
	},
}

const (
	missingEnglish   = "add the parameter to the webhook in Ringostat, or, if it has another name there, write that name under ringostat.fields: "
	missingUkrainian = "додайте параметр до вебхука в Ringostat або, якщо він там має іншу назву, впишіть її в ringostat.fields: "
	missingRussian   = "добавьте параметр к вебхуку в Ringostat или, если он там называется иначе, впишите его имя в ringostat.fields: "
)
