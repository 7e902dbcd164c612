package planner

// texts are the words of leads and tasks in one language. %s stands for what the
// comment says.
type texts struct {
	// titles; %s is the client
	lead, leadMissed, leadVoicemail     string
	doneIn, doneOut                     string
	review, contact, contactVoicemail   string
	check                               string // %s is the line
	hidden, unknownLine                 string
	call, when, client, took            string
	lineOn, line                        string // through which the call went, what was called
	waiting, talk, status, result       string
	recording, voicemailRecording       string
	listen, card, open                  string
	visit, source, medium, campaign     string
	content, term, clientID             string
	landing, referrer, ip, agent        string
	scheme, pool, department, rating    string
	inbound, outbound, callback         string
	answered, missed, voicemail         string
	reviewWhy, contactWhy, voicemailWhy string
	checkWhy                            string
	fellBack                            string // %s are the names
	alsoFound                           string // %s are the entities
	chosen                              map[string]string
	kinds                               map[string]string
	user                                string // %d is the user's id
	seconds                             string // %d
	nobody                              string
	unknownStatus                       string
}

var languages = map[string]*texts{
	"uk": {
		lead: "Дзвінок від %s", leadMissed: "Пропущений дзвінок від %s", leadVoicemail: "Голосове повідомлення від %s",
		doneIn: "Вхідний дзвінок: %s", doneOut: "Вихідний дзвінок: %s",
		review: "Перевірити дзвінок, який прийняв колега: %s", contact: "Зв’язатися з клієнтом: %s",
		contactVoicemail: "Зв’язатися з клієнтом, є голосове повідомлення: %s", check: "Перевірити налаштування інтеграції, лінія %s",
		hidden: "прихований номер", unknownLine: "невідома",
		call: "Дзвінок", when: "Коли", client: "Клієнт", took: "Розмовляв", lineOn: "Через лінію", line: "Лінія",
		waiting: "Очікування", talk: "Розмова", status: "Статус дзвінка", result: "Результат",
		recording: "Запис розмови", voicemailRecording: "Запис голосової пошти", listen: "прослухати", card: "Картка дзвінка в Ringostat", open: "відкрити",
		visit: "Дані візиту", source: "Джерело", medium: "Канал", campaign: "Кампанія", content: "Оголошення", term: "Ключове слово",
		clientID: "Google Client ID", landing: "Сторінка входу", referrer: "Перехід зі сторінки", ip: "IP відвідувача", agent: "Браузер",
		scheme: "Схема переадресації", pool: "Пул номерів", department: "Відділ", rating: "Оцінка",
		inbound: "вхідний", outbound: "вихідний", callback: "зворотний дзвінок", answered: "прийнято", missed: "пропущено", voicemail: "голосова пошта",
		reviewWhy:    "Вашому клієнту відповів колега. Прослухайте розмову і перевірте, про що домовилися.",
		contactWhy:   "На дзвінок клієнта ніхто не відповів. Зателефонуйте йому.",
		voicemailWhy: "Клієнт потрапив на голосову пошту. Прослухайте повідомлення, якщо воно є, і зателефонуйте йому.",
		checkWhy:     "Дзвінок пройшов через лінію, яка не прив’язана до жодного співробітника. Додайте її співробітнику в Ringostat і в налаштуваннях інтеграції.",
		fellBack:     "Відповідальний не активний або невідомий у Bitrix24 (%s), тому завдання отримав старший менеджер.",
		alsoFound:    "За цим номером також знайдено: %s.",
		chosen: map[string]string{
			"responsible_on_call": "Обрано те, за що відповідає співробітник, який розмовляв.", "deal_before_lead": "Обрано угоду, бо вона важливіша за лід.",
			"most_recently_active": "Обрано те, з чим працювали останнім.", "lowest_id": "Обрано те, що створено першим.",
		},
		kinds: map[string]string{"lead": "лід", "deal": "угода", "contact": "контакт", "company": "компанія"},
		user:  "користувач %d", seconds: "%d с", nobody: "ніхто", unknownStatus: "невідомий статус",
	},
	"ru": {
		lead: "Звонок от %s", leadMissed: "Пропущенный звонок от %s", leadVoicemail: "Голосовое сообщение от %s",
		doneIn: "Входящий звонок: %s", doneOut: "Исходящий звонок: %s",
		review: "Проверить звонок, принятый коллегой: %s", contact: "Связаться с клиентом: %s",
		contactVoicemail: "Связаться с клиентом, есть голосовое сообщение: %s", check: "Проверить настройки интеграции, линия %s",
		hidden: "скрытый номер", unknownLine: "неизвестна",
		call: "Звонок", when: "Когда", client: "Клиент", took: "Разговаривал", lineOn: "Через линию", line: "Линия",
		waiting: "Ожидание", talk: "Разговор", status: "Статус звонка", result: "Результат",
		recording: "Запись разговора", voicemailRecording: "Запись голосовой почты", listen: "прослушать", card: "Карточка звонка в Ringostat", open: "открыть",
		visit: "Данные посещения", source: "Источник", medium: "Канал", campaign: "Кампания", content: "Объявление", term: "Ключевое слово",
		clientID: "Google Client ID", landing: "Страница входа", referrer: "Переход со страницы", ip: "IP посетителя", agent: "Браузер",
		scheme: "Схема переадресации", pool: "Пул номеров", department: "Отдел", rating: "Оценка",
		inbound: "входящий", outbound: "исходящий", callback: "обратный звонок", answered: "принят", missed: "пропущен", voicemail: "голосовая почта",
		reviewWhy:    "Вашему клиенту ответил коллега. Прослушайте разговор и проверьте, о чём договорились.",
		contactWhy:   "На звонок клиента никто не ответил. Позвоните ему.",
		voicemailWhy: "Клиент попал на голосовую почту. Прослушайте сообщение, если оно есть, и позвоните ему.",
		checkWhy:     "Звонок прошёл через линию, которая не привязана ни к одному сотруднику. Добавьте её сотруднику в Ringostat и в настройках интеграции.",
		fellBack:     "Ответственный не активен или неизвестен в Bitrix24 (%s), поэтому задачу получил старший менеджер.",
		alsoFound:    "По этому номеру также найдены: %s.",
		chosen: map[string]string{
			"responsible_on_call": "Выбрано то, за что отвечает разговаривавший сотрудник.", "deal_before_lead": "Выбрана сделка, она важнее лида.",
			"most_recently_active": "Выбрано то, с чем работали последним.", "lowest_id": "Выбрано созданное первым.",
		},
		kinds: map[string]string{"lead": "лид", "deal": "сделка", "contact": "контакт", "company": "компания"},
		user:  "пользователь %d", seconds: "%d с", nobody: "никто", unknownStatus: "неизвестный статус",
	},
	"en": {
		lead: "Call from %s", leadMissed: "Missed call from %s", leadVoicemail: "Voicemail from %s",
		doneIn: "Incoming call: %s", doneOut: "Outgoing call: %s",
		review: "Check the call that a colleague took: %s", contact: "Contact the client: %s",
		contactVoicemail: "Contact the client, there is a voicemail: %s", check: "Check the integration's settings, line %s",
		hidden: "hidden number", unknownLine: "unknown",
		call: "Call", when: "When", client: "Client", took: "On the call", lineOn: "Through line", line: "Line",
		waiting: "Waiting", talk: "Talk", status: "Call status", result: "Result",
		recording: "Recording", voicemailRecording: "Voicemail recording", listen: "listen", card: "Call card in Ringostat", open: "open",
		visit: "Visit", source: "Source", medium: "Medium", campaign: "Campaign", content: "Ad", term: "Keyword",
		clientID: "Google Client ID", landing: "Landing page", referrer: "Came from", ip: "Visitor IP", agent: "Browser",
		scheme: "Forwarding scheme", pool: "Number pool", department: "Department", rating: "Rating",
		inbound: "incoming", outbound: "outgoing", callback: "callback", answered: "answered", missed: "missed", voicemail: "voicemail",
		reviewWhy:    "A colleague answered your client. Listen to the talk and check what was agreed.",
		contactWhy:   "Nobody answered the client's call. Call back.",
		voicemailWhy: "The client reached the voicemail. Listen to the message, if there is one, and call back.",
		checkWhy:     "The call went through a line that belongs to no employee. Give it to an employee in Ringostat and in the integration's settings.",
		fellBack:     "The responsible is not active in Bitrix24 or unknown there (%s), so the senior manager has the task.",
		alsoFound:    "This number also belongs to: %s.",
		chosen: map[string]string{
			"responsible_on_call": "Chosen because its responsible was on the call.", "deal_before_lead": "The deal was chosen: deals come before leads.",
			"most_recently_active": "The most recently active one was chosen.", "lowest_id": "The one made first was chosen.",
		},
		kinds: map[string]string{"lead": "lead", "deal": "deal", "contact": "contact", "company": "company"},
		user:  "user %d", seconds: "%d s", nobody: "nobody", unknownStatus: "unknown status",
	},
}
