package bitrix

// sentences are what the owner of the shop reads: what happened and what to do.
type sentences struct{ uk, ru, en string }

func (s sentences) in(lang string) string {
	switch lang {
	case "uk":
		return s.uk
	case "ru":
		return s.ru
	}
	return s.en
}

var reasonTexts = map[Reason]sentences{
	ReasonQueryLimit: {
		"Портал приймає не більше запитів на секунду, ніж дозволяє тариф. Програма продовжить сама; якщо це триває, перевірте, чи не навантажує портал інша інтеграція.",
		"Портал принимает не больше запросов в секунду, чем позволяет тариф. Программа продолжит сама; если это длится, проверьте, не нагружает ли портал другая интеграция.",
		"The portal takes no more requests a second than its plan allows. The program goes on by itself; if this lasts, check whether another integration is busy with the portal.",
	},
	ReasonMethodBudget: {
		"Портал тимчасово закрив цю дію: за останні десять хвилин на неї пішло забагато часу. Програма продовжить сама. Якщо це повторюється, перевірте роботів і бізнес-процеси, що запускаються при створенні лідів і угод.",
		"Портал временно закрыл это действие: за последние десять минут на него ушло слишком много времени. Программа продолжит сама. Если это повторяется, проверьте роботов и бизнес-процессы, которые запускаются при создании лидов и сделок.",
		"The portal closed this action for a while: it took too much time within the last ten minutes. The program goes on by itself. If this comes again, look at the robots and business processes that start with new leads and deals.",
	},
	ReasonOverload: {
		"Bitrix24 вручну обмежив доступ до порталу через перевантаження. Зверніться до підтримки Bitrix24.",
		"Bitrix24 вручную ограничил доступ к порталу из-за перегрузки. Обратитесь в поддержку Bitrix24.",
		"Bitrix24 restricted access to the portal by hand because of overload. Write to Bitrix24's support.",
	},
	ReasonCredentials: {
		"Портал більше не приймає вебхук: його видалено, він прострочений, або його власника звільнено чи позбавлено прав. Створіть новий вхідний вебхук від імені адміністратора і вкажіть його в налаштуваннях.",
		"Портал больше не принимает вебхук: он удалён, просрочен, либо его владелец уволен или лишён прав. Создайте новый входящий вебхук от имени администратора и укажите его в настройках.",
		"The portal no longer accepts the webhook: it was deleted, it expired, or its owner was dismissed or lost rights. Make a new inbound webhook as an administrator and put it into the settings.",
	},
	ReasonScope: {
		"Вебхуку бракує дозволу. Відкрийте вебхук у Bitrix24 і позначте дозволи CRM, «Завдання» та «Користувачі».",
		"Вебхуку не хватает разрешения. Откройте вебхук в Bitrix24 и отметьте разрешения CRM, «Задачи» и «Пользователи».",
		"The webhook lacks a permission. Open the webhook in Bitrix24 and tick the permissions CRM, Tasks and Users.",
	},
	ReasonPlan: {
		"На порталі закінчився платний тариф або ліцензія, тому зовнішні програми відключено. Продовжіть тариф Bitrix24; дзвінки тим часом зберігаються.",
		"На портале закончился платный тариф или лицензия, поэтому внешние программы отключены. Продлите тариф Bitrix24; звонки тем временем сохраняются.",
		"The portal's paid plan or licence ran out, so outside programs are cut off. Renew the Bitrix24 plan; calls are kept meanwhile.",
	},
	ReasonPortalGone: {
		"Портал Bitrix24 видалено. Якщо він потрібен, зверніться до підтримки Bitrix24.",
		"Портал Bitrix24 удалён. Если он нужен, обратитесь в поддержку Bitrix24.",
		"The Bitrix24 portal was deleted. If you need it, write to Bitrix24's support.",
	},
	ReasonMoved: {
		"Адреса порталу змінилася. Скопіюйте вебхук з Bitrix24 ще раз і вкажіть його в налаштуваннях.",
		"Адрес портала изменился. Скопируйте вебхук из Bitrix24 ещё раз и укажите его в настройках.",
		"The portal's address changed. Copy the webhook from Bitrix24 again and put it into the settings.",
	},
	ReasonForbidden: {
		"Адреса порталу веде до приватної або службової мережі. Виправте адресу в налаштуваннях; якщо портал справді у вашій мережі, увімкніть allow_insecure.",
		"Адрес портала ведёт в частную или служебную сеть. Исправьте адрес в настройках; если портал действительно в вашей сети, включите allow_insecure.",
		"The portal's address leads into a private or reserved network. Correct the address in the settings; if the portal really is in your network, switch on allow_insecure.",
	},
	ReasonNotFound: {
		"Запис у CRM не знайдено: його видалили, об’єднали, або власник вебхука його не бачить.",
		"Запись в CRM не найдена: её удалили, объединили, или владелец вебхука её не видит.",
		"The CRM entry was not found: it was deleted or merged, or the webhook's owner can't see it.",
	},
	ReasonAccess: {
		"Власник вебхука не має права на цю дію. Дайте йому права в CRM і завданнях або створіть вебхук від імені адміністратора.",
		"У владельца вебхука нет права на это действие. Дайте ему права в CRM и задачах или создайте вебхук от имени администратора.",
		"The webhook's owner has no right to do this. Give him rights in CRM and tasks, or make the webhook as an administrator.",
	},
	ReasonMethod: {
		"Портал не має цієї функції або не дає її вебхукам. Перевірте, чи увімкнено CRM і завдання на порталі.",
		"На портале нет этой функции, или она закрыта для вебхуков. Проверьте, включены ли CRM и задачи на портале.",
		"The portal lacks this function or keeps it from webhooks. Check that CRM and tasks are switched on in the portal.",
	},
	ReasonInvalid: {
		"Портал не прийняв дані. Найчастіше це обов’язкове поле, яке програма не заповнює, або звільнений відповідальний: перевірте налаштування і спробуйте ще раз.",
		"Портал не принял данные. Чаще всего это обязательное поле, которое программа не заполняет, или уволенный ответственный: проверьте настройки и попробуйте ещё раз.",
		"The portal did not accept the data. Mostly it is a mandatory field that the program does not fill, or a responsible who was dismissed: check the settings and try again.",
	},
	ReasonUnreachable: {
		"З порталом немає зв’язку. Перевірте, чи відкривається він у браузері.",
		"С порталом нет связи. Проверьте, открывается ли он в браузере.",
		"There is no connection to the portal. Check whether it opens in a browser.",
	},
	ReasonTimeout: {
		"Портал не відповів вчасно.",
		"Портал не ответил вовремя.",
		"The portal did not answer in time.",
	},
	ReasonCancelled: {
		"Запит перервано, бо програму зупинили.",
		"Запрос прерван, потому что программу остановили.",
		"The request was broken off because the program was stopped.",
	},
	ReasonUnreadable: {
		"Відповідь порталу загубилася дорогою або нечитабельна.",
		"Ответ портала потерялся по дороге или не читается.",
		"The portal's answer was lost on the way or can't be read.",
	},
	ReasonHalted: {
		"Дію пропущено, бо не вдалася попередня.",
		"Действие пропущено, потому что не удалось предыдущее.",
		"The action was skipped because the one before it failed.",
	},
	ReasonUnknown: {
		"Портал повідомив про власну помилку.",
		"Портал сообщил о собственной ошибке.",
		"The portal reported a fault of its own.",
	},
}

// classTexts say what follows, where the reason's text does not.
var classTexts = map[Class]sentences{
	NotRun: {
		"Нічого не втрачено, програма спробує ще раз.",
		"Ничего не потеряно, программа попробует ещё раз.",
		"Nothing is lost, the program will try again.",
	},
	Ambiguous: {
		"Невідомо, чи дію виконано; програма спершу перевірить це на порталі і лише тоді повторить.",
		"Неизвестно, выполнено ли действие; программа сначала проверит это на портале и только потом повторит.",
		"It is not known whether the action was done; the program will look in the portal before it repeats it.",
	},
}

// Human tells in Ukrainian ("uk"), Russian ("ru") or English (everything else)
// what happened and what the reader can do. It may quote the portal.
func (e *Error) Human(lang string) string {
	reason, ok := reasonTexts[e.Reason]
	if !ok {
		reason = reasonTexts[ReasonUnknown]
	}
	text := reason.in(lang)
	if after, ok := classTexts[e.Class]; ok {
		text += " " + after.in(lang)
	}
	if e.Class == Refused && e.Description != "" {
		text += " " + sentences{"Відповідь порталу: ", "Ответ портала: ", "The portal's answer: "}.in(lang) + e.Description
	}
	return text
}
