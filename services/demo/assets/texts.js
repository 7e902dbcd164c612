"use strict";
// Every text of the page: Ukrainian, Russian, English.
const texts = {
  title: ["ringbridge: демо", "ringbridge: демо", "ringbridge: demo"],
  skip: ["До дзвінків", "К звонкам", "Skip to the calls"],
  simulated: ["Демо: портал і дзвінки несправжні", "Демо: портал и звонки ненастоящие", "Demo: simulated portal and calls"],
  lead: ["Уявна телефонія Ringostat надсилає справжні вебхуки, а ringbridge створює з них ліди та завдання в уявному порталі Bitrix24. Оберіть дзвінок, щоб побачити, чому сталося саме так.",
    "Воображаемая телефония Ringostat отправляет настоящие вебхуки, а ringbridge создаёт из них лиды и задачи в воображаемом портале Bitrix24. Выберите звонок, чтобы увидеть, почему получилось именно так.",
    "A simulated Ringostat sends real webhooks, and ringbridge turns them into leads and tasks of a simulated Bitrix24 portal. Choose a call to see why it came out that way."],
  console: ["Консоль", "Консоль", "The console"], token: ["показує те саме, що й справжня; токен для входу — у терміналі.", "показывает то же, что и настоящая; токен для входа — в терминале.", "shows what a real one does; the token for it is in the terminal."],
  language: ["Мова", "Язык", "Language"], status: ["Стан", "Состояние", "Status"],
  calls: ["Дзвінки", "Звонки", "Calls"], story: ["Історія дзвінка", "История звонка", "The call's story"], portal: ["Портал Bitrix24 (уявний)", "Портал Bitrix24 (воображаемый)", "Bitrix24 portal (simulated)"],
  choose: ["Оберіть дзвінок у списку.", "Выберите звонок в списке.", "Choose a call in the list."],
  noCalls: ["Перші дзвінки вже йдуть…", "Первые звонки уже идут…", "The first calls are on their way…"],
  offline: ["Демо не відповідає. Можливо, його зупинено.", "Демо не отвечает. Возможно, оно остановлено.", "The demo does not answer. It may have been stopped."],
  newCall: ["Новий дзвінок", "Новый звонок", "New call"],

  waiting: ["Чекають", "Ждут", "Waiting"], in_flight: ["У роботі", "В работе", "In flight"], in_doubt: ["Під питанням", "Под вопросом", "In doubt"], parked: ["Відкладено", "Отложено", "Parked"],
  portalState: ["Портал", "Портал", "Portal"], requests: ["Запитів до порталу", "Запросов к порталу", "Portal requests"], webhooks: ["Вебхуків", "Вебхуков", "Webhooks"],
  "portal/ok": ["працює", "работает", "works"], "portal/slow": ["повільний", "медленный", "slow"], "portal/refused": ["відмовляє", "отказывает", "refuses"], "portal/down": ["не відповідає", "не отвечает", "is down"],
  pace: ["2 запити на секунду", "2 запроса в секунду", "2 requests a second"],

  "direction/inbound": ["вхідний", "входящий", "incoming"], "direction/outbound": ["вихідний", "исходящий", "outgoing"], "direction/internal": ["внутрішній", "внутренний", "internal"],
  "outcome/answered": ["прийнято", "принят", "answered"], "outcome/missed": ["пропущено", "пропущен", "missed"], "outcome/voicemail": ["голосова пошта", "голосовая почта", "voicemail"],
  "outcome/answered/out": ["поговорили", "поговорили", "answered"], "outcome/missed/out": ["без відповіді", "без ответа", "no answer"],
  "state/waiting": ["чекає", "ждёт", "waiting"], "state/done": ["зроблено", "сделано", "done"], "state/ignored": ["нічого не треба", "ничего не нужно", "nothing to do"], "state/parked": ["відкладено", "отложено", "parked"], "state/in_doubt": ["під питанням", "под вопросом", "in doubt"],
  hidden: ["номер приховано", "номер скрыт", "number hidden"], nobody: ["ніхто", "никто", "nobody"], noEmployee: ["лінія без співробітника", "линия без сотрудника", "a line of no employee"],
  unreadable: ["Вебхук, який не вдалося прочитати", "Вебхук, который не удалось прочитать", "A webhook that could not be read"],
  keptForYou: ["Запит збережено повністю. Його можна спробувати прочитати ще раз або прибрати зі списку з поясненням.", "Запрос сохранён полностью. Его можно попробовать прочитать ещё раз или убрать из списка с пояснением.", "The request is kept whole. It can be tried again, or dropped with a reason."],
  answerLost: ["відповідь порталу губилась", "ответ портала терялся", "the portal's answer was lost"],

  received: ["Надійшов вебхук", "Пришёл вебхук", "A webhook came in"], bytes: ["байт", "байт", "bytes"], raw: ["Показати, що саме надійшло", "Показать, что именно пришло", "Show what came in"],
  classified: ["Прочитано дзвінок", "Прочитан звонок", "The call was read"], ringing: ["Дзвінок ще триває", "Звонок ещё идёт", "The call goes on"],
  nothingNew: ["Нового нічого немає", "Нового ничего нет", "Nothing new in it"],
  resolved: ["Що знала CRM", "Что знала CRM", "What the CRM knew"], ruleFired: ["Спрацювало правило", "Сработало правило", "The rule that fired"], amended: ["Уточнення", "Уточнение", "An amendment"],
  made: ["Що зроблено в порталі", "Что сделано в портале", "What was made in the portal"], nothingMade: ["За цим правилом нічого не створюється.", "По этому правилу ничего не создаётся.", "This rule makes nothing."],
  parkedAt: ["Відкладено", "Отложено", "Parked"], remedy: ["Що робити", "Что делать", "What to do"],
  "client/new": ["Клієнта в CRM немає: новий", "Клиента в CRM нет: новый", "The CRM does not know the client"],
  "client/contact": ["Клієнт є, відкритих лідів чи угод немає", "Клиент есть, открытых лидов и сделок нет", "The client is known, with nothing open"],
  "client/open": ["Є відкритий лід чи угода", "Есть открытый лид или сделка", "There is an open lead or deal"],
  "client/anonymous": ["Номер приховано, шукати нікого", "Номер скрыт, искать некого", "The number is hidden: nobody to look up"],
  "client/": ["CRM не питали", "CRM не спрашивали", "The CRM was not asked"],
  owner: ["Відповідальний", "Ответственный", "Responsible"], others: ["Знайдено також", "Найдено также", "Also found"], client: ["Клієнт", "Клиент", "Client"], line: ["Лінія", "Линия", "Line"],
  onCall: ["На дзвінку", "На звонке", "On the call"], call: ["Дзвінок", "Звонок", "Call"], talk: ["Розмова", "Разговор", "Talk"], waited: ["Чекання", "Ожидание", "Waiting"], seconds: ["с", "с", "s"],
  source: ["Джерело", "Источник", "Source"], recording: ["Запис", "Запись", "Recording"], due: ["Строк", "Срок", "Due"], created: ["Створено", "Создано", "Created"], stage: ["Стадія", "Стадия", "Stage"], phone: ["Телефон", "Телефон", "Phone"], links: ["Прив’язано", "Привязано", "Linked to"], text: ["Опис", "Описание", "Description"],
  why: ["Звідки правило", "Откуда правило", "Where the rule comes from"],
  "outcome/executed": ["створено", "создано", "made"], "outcome/adopted": ["відповідь загубилась, знайдено й прийнято", "ответ потерялся, найдено и принято", "the answer was lost; found and adopted"], "outcome/already_true": ["уже було так", "уже было так", "already true"], "outcome/refused": ["відмовлено", "отказано", "refused"], "outcome/in_doubt": ["під питанням: відповідь загубилась, шукаємо", "под вопросом: ответ потерялся, ищем", "in doubt: the answer was lost, looking"], "outcome/waiting": ["чекає", "ждёт", "waiting"],
  because: ["Обрано, бо", "Выбрано, потому что", "Chosen because"], "because/responsible_on_call": ["відповідальний сам на дзвінку", "ответственный сам на звонке", "its responsible is on the call"], "because/deal_before_lead": ["угода важливіша за лід", "сделка важнее лида", "a deal comes before a lead"], "because/most_recently_active": ["там остання активність", "там последняя активность", "it was active last"], "because/lowest_id": ["у нього найменший номер", "у него наименьший номер", "it has the lowest id"],

  lead1: ["Лід", "Лид", "Lead"], deal1: ["Угода", "Сделка", "Deal"], contact1: ["Контакт", "Контакт", "Contact"], company1: ["Компанія", "Компания", "Company"], task1: ["Завдання", "Задача", "Task"],
  leadN: ["Ліди", "Лиды", "Leads"], dealN: ["Угоди", "Сделки", "Deals"], contactN: ["Контакти", "Контакты", "Contacts"], companyN: ["Компанії", "Компании", "Companies"], taskN: ["Завдання", "Задачи", "Tasks"],
  open: ["відкрито", "открыто", "open"], closed: ["закрито", "закрыто", "closed"], byCall: ["До дзвінка, що це створив", "К звонку, который это создал", "To the call that made it"], fromBefore: ["Було в порталі до демо", "Было в портале до демо", "In the portal before the demo"], dismissed: ["звільнено", "уволен", "has left"],
  empty: ["Поки порожньо.", "Пока пусто.", "Nothing yet."], showTask: ["Показати опис", "Показать описание", "Show the description"], newest: ["Показано найновіші", "Показаны самые новые", "The newest are shown"],
  "stage/NEW": ["Нова", "Новая", "New"], "stage/IN_PROCESS": ["В роботі", "В работе", "In progress"], "stage/JUNK": ["Неякісний лід", "Некачественный лид", "Junk"], "stage/CONVERTED": ["Якісний лід", "Качественный лид", "Converted"], "stage/PREPARATION": ["Підготовка документів", "Подготовка документов", "Preparation"], "stage/WON": ["Успішна", "Успешная", "Won"], "stage/LOSE": ["Провалена", "Провалена", "Lost"],
};
const languages = ["uk", "ru", "en"];

// lang is the page's language: of the address, else the one chosen last, else Ukrainian.
let lang = "uk";
try { lang = localStorage.getItem("ringbridge-demo-lang") || lang; } catch { /* storage may be closed */ }
lang = new URLSearchParams(location.search).get("lang") || lang;
if (!languages.includes(lang)) lang = "uk";

// t is the text of a key; a key that has none is shown as it is.
function t(key) {
  const all = texts[key];
  return all ? all[languages.indexOf(lang)] : key;
}
function known(key, otherwise) { return texts[key] ? t(key) : otherwise; }

// told is a text that comes in each language, or as it was stored.
function told(inEach, stored) { return (inEach && inEach[lang]) || stored; }
