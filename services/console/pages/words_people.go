package pages

var peopleTexts = texts{
	"people.what":     {"Хто входить до консолі під власним іменем. Токен консолі діє завжди й дає всі права.", "Кто входит в консоль под своим именем. Токен консоли действует всегда и даёт все права.", "Who signs in to the console by name. The console's token always works and may do everything."},
	"people.none":     {"Поки що нікого: усі входять за токеном.", "Пока никого: все входят по токену.", "Nobody yet: people sign in with the token."},
	"people.name":     {"Ім’я для входу", "Имя для входа", "Sign-in name"},
	"people.name.how": {"Малі латинські літери, цифри та . _ @ -, наприклад olena.koval", "Строчные латинские буквы, цифры и . _ @ -, например olena.koval", "Small Latin letters, digits and . _ @ -, such as olena.koval"},
	"people.role":     {"Роль", "Роль", "Role"},
	"people.changed":  {"Змінено", "Изменено", "Changed"},
	"people.created":  {"Додано", "Добавлено", "Added"},
	"people.list":     {"Усі, хто має доступ", "Все, у кого есть доступ", "Everybody with access"},
	"people.add":      {"Додати користувача", "Добавить пользователя", "Add a person"},
	"people.add.go":   {"Додати", "Добавить", "Add"},

	"people.password":      {"Пароль", "Пароль", "Password"},
	"people.password.how":  {"Щонайменше 12 символів. Найкраще — кілька випадкових слів.", "Не менее 12 символов. Лучше всего — несколько случайных слов.", "At least 12 characters. A few random words are best."},
	"people.password.new":  {"Новий пароль", "Новый пароль", "New password"},
	"people.password.keep": {"Залиште порожнім, щоб не змінювати. Новий пароль завершить роботу в консолі на всіх інших пристроях.", "Оставьте пустым, чтобы не менять. Новый пароль завершит работу в консоли на всех других устройствах.", "Leave it empty to keep the old one. A new one signs the person out on every other device."},
	"people.save":          {"Зберегти", "Сохранить", "Save"},
	"people.self":          {"Це ви. Якщо знизите собі роль, повернути її зможе лише інший адміністратор або власник токена.", "Это вы. Если понизите себе роль, вернуть её сможет только другой администратор или владелец токена.", "This is you. If you lower your own role, only another admin or whoever holds the token can raise it again."},
	"people.back":          {"До списку користувачів", "К списку пользователей", "Back to people"},

	"people.delete":     {"Видалити", "Удалить", "Delete"},
	"people.delete.ask": {"Видалити користувача %s? Доступ зникне одразу, на всіх пристроях.", "Удалить пользователя %s? Доступ пропадёт сразу, на всех устройствах.", "Delete %s? Their access ends at once, on every device."},
	"people.delete.yes": {"Так, видалити", "Да, удалить", "Yes, delete"},

	"people.done.kept": {"Збережено.", "Сохранено.", "Saved."},
	"people.done.gone": {"Користувача видалено.", "Пользователь удалён.", "The person was deleted."},
	"people.taken":     {"Ім’я %s уже зайняте.", "Имя %s уже занято.", "The name %s is taken."},
	"people.unknown":   {"Користувача %s немає.", "Пользователя %s нет.", "There is no person %s."},

	"me.title":  {"Мій доступ", "Мой доступ", "My access"},
	"me.change": {"Змінити пароль", "Сменить пароль", "Change the password"},
	"me.old":    {"Поточний пароль", "Текущий пароль", "Current password"},
	"me.others": {"На всіх інших пристроях доведеться увійти знову.", "На всех других устройствах придётся войти снова.", "You will have to sign in again on every other device."},
	"me.save":   {"Змінити пароль", "Сменить пароль", "Change the password"},
	"me.done":   {"Пароль змінено. На інших пристроях доступ завершено.", "Пароль изменён. На других устройствах доступ завершён.", "The password was changed. You are signed out on every other device."},
	"me.token":  {"Ви увійшли за токеном консолі. Пароль є лише в тих, хто входить під власним іменем.", "Вы вошли по токену консоли. Пароль есть только у тех, кто входит под своим именем.", "You signed in with the console's token. Only people who sign in by name have a password."},

	"role.viewer.may":   {"бачить усе, крім секретів", "видит всё, кроме секретов", "sees everything but secrets"},
	"role.operator.may": {"ще й повторює та прибирає відкладене, робить перерахунок", "ещё и повторяет и убирает отложенное, делает пересчёт", "also retries and drops what is parked, and replays"},
	"role.admin.may":    {"ще й змінює налаштування та користувачів", "ещё и меняет настройки и пользователей", "also changes settings and people"},
}
