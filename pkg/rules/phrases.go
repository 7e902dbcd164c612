package rules

// phrases are the pieces that Words puts together. The words are the article's where it has them. Roles come in the
// case that follows "on", details in the case that follows "with".
var phrases = map[string]Text{
	"call/answered":  {"incoming call answered", "прийнято вхідний дзвінок", "принят входящий звонок"},
	"call/missed":    {"incoming call missed", "пропущено вхідний дзвінок", "не принят входящий звонок"},
	"call/voicemail": {"incoming call went to voicemail", "вхідний дзвінок потрапив на голосову пошту", "входящий звонок попал на голосовую почту"},
	"call/outbound":  {"outgoing call, reached or not", "вихідний дзвінок, успішний чи ні", "исходящий звонок, успешный или нет"},
	"call/internal":  {"call from employee to employee", "дзвінок від співробітника до співробітника", "звонок от сотрудника сотруднику"},
	"call/any":       {"incoming or outgoing call", "вхідний або вихідний дзвінок", "входящий или исходящий звонок"},

	"client/new":       {"new client", "новий клієнт", "новый клиент"},
	"client/contact":   {"client with a contact and no open lead or deal", "у клієнта є контакт без відкритого ліда чи угоди", "у клиента есть контакт без открытого лида или сделки"},
	"client/open":      {"client with an open lead or deal", "у клієнта є відкритий лід чи угода", "у клиента есть открытый лид или сделка"},
	"client/anonymous": {"number hidden or unreadable", "номер прихований або нерозбірливий", "номер скрыт или нечитаем"},

	"inbound/owner":      {"by the responsible", "прийняв відповідальний", "принял ответственный"},
	"inbound/colleague":  {"by a colleague of the responsible", "прийняв колега відповідального", "принял коллега ответственного"},
	"inbound/employee":   {"by an employee", "прийняв співробітник", "принял сотрудник"},
	"inbound/unmapped":   {"on a line of no employee", "на лінії, не прив’язаній до співробітника", "на линии, не привязанной к сотруднику"},
	"outbound/owner":     {"by the responsible", "телефонував відповідальний", "звонил ответственный"},
	"outbound/colleague": {"by a colleague of the responsible", "телефонував колега відповідального", "звонил коллега ответственного"},
	"outbound/employee":  {"by an employee", "телефонував співробітник", "звонил сотрудник"},
	"outbound/unmapped":  {"from a line of no employee", "з лінії, не прив’язаної до співробітника", "с линии, не привязанной к сотруднику"},

	"if/answered":         {"if answered", "якщо вхідний прийняв", "если входящий принят"},
	"if/missed":           {"if missed", "якщо вхідний пропущено", "если входящий не принят"},
	"if/voicemail":        {"sent to voicemail", "він потрапив на голосову пошту", "попал на голосовую почту"},
	"if/inbound/employee": {"by an employee", "співробітник", "сотрудником"},
	"if/inbound/unmapped": {"on a line of no employee", "хтось на лінії, не прив’язаній до співробітника", "на линии, не привязанной к сотруднику"},

	"lead":         {"lead", "лід", "лид"},
	"task:done":    {"closed task", "закрите завдання", "закрытая задача"},
	"task:review":  {"open task", "відкрите завдання", "открытая задача"},
	"task:contact": {"open task", "відкрите завдання", "открытая задача"},
	"task:check":   {"open task", "відкрите завдання", "открытая задача"},

	"on/answerer":      {"on the employee who answered", "на співробітника, який прийняв дзвінок", "на сотрудника, принявшего звонок"},
	"on/caller":        {"on the employee who called", "на співробітника, який телефонував", "на звонившего сотрудника"},
	"on/owner/open":    {"on the responsible for the lead or deal", "на відповідального за лід або угоду", "на ответственного за лид или сделку"},
	"on/owner/contact": {"on the responsible for the contact", "на відповідального за контакт", "на ответственного за контакт"},
	"on/senior":        {"on the senior manager", "на старшого менеджера", "на старшего менеджера"},
	"on/missed":        {"on the senior manager (or on employees in turn: missed_new_client)", "на старшого менеджера (або на співробітників по черзі: missed_new_client)", "на старшего менеджера (или на сотрудников по очереди: missed_new_client)"},

	"purpose/review":         {"check the call", "перевірити дзвінок", "проверить звонок"},
	"purpose/contact":        {"contact the client", "зв’язатися з клієнтом", "связаться с клиентом"},
	"purpose/check_settings": {"check the settings of the integration", "перевірити налаштування інтеграції", "проверить настройки интеграции"},

	"due/review":   {"due after review_due (3 h by default)", "строк review_due (типово 3 год)", "срок review_due (по умолчанию 3 ч)"},
	"due/callback": {"due after callback_due (1 h by default)", "строк callback_due (типово 1 год)", "срок callback_due (по умолчанию 1 ч)"},

	"with":                {"with", "із", "с"},
	"with/traffic_source": {"UTM tags, source and Google Client ID", "UTM-мітками, джерелом і Google Client ID", "UTM-метками, источником и Google Client ID"},
	"with/recording":      {"the recording", "записом розмови", "записью разговора"},
	"with/message":        {"the voicemail message, if one was left", "записом голосової пошти, якщо його залишили", "записью голосовой почты, если её оставили"},
	"with/visit_data":     {"the visit data", "даними відвідування", "данными посещения"},
	"with/call_status":    {"the call's status", "статусом дзвінка", "статусом звонка"},
	"with/line":           {"the name of the line", "зазначенням лінії", "указанием линии"},

	"and":     {"and", "і", "и"},
	"or":      {"or", "або", "или"},
	"nothing": {"nothing is made", "нічого не створюється", "ничего не создаётся"},
	"silent":  {"the article is silent", "стаття про це мовчить", "статья об этом молчит"},
}
