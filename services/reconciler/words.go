package reconciler

import (
	"errors"

	"github.com/ringbridge/ringbridge/pkg/ringostat"
)

// trouble is a kind of failure; the log is told of each once.
type trouble string

const (
	troubleKey         trouble = "key"
	troubleUnreadable  trouble = "unreadable"
	troubleUnreachable trouble = "unreachable"
	// troubleInside is the broker's or a mistake of ours: the call log is not to blame.
	troubleInside trouble = "inside"
)

func troubleOf(err error) trouble {
	switch {
	case errors.Is(err, ringostat.ErrKey):
		return troubleKey
	case errors.Is(err, ringostat.ErrUnreadable):
		return troubleUnreadable
	case errors.Is(err, ringostat.ErrUnreachable):
		return troubleUnreachable
	}
	return troubleInside
}

// vocabulary is what a manager reads, in one language.
type vocabulary struct {
	trouble map[trouble]string
	// later is said to who imports by hand while the log can't be reached: nothing does it
	// again by itself.
	later  string
	silent string
}

var vocabularies = map[string]vocabulary{
	"uk": {
		trouble: map[trouble]string{
			troubleKey:         "Ringostat не приймає ключ API. Візьміть ключ у кабінеті Ringostat (Інтеграція, Ringostat API) і впишіть його в налаштування",
			troubleUnreadable:  "За адресою API Ringostat відповідає не журнал дзвінків. Перевірте api_url",
			troubleUnreachable: "Журнал дзвінків Ringostat зараз недоступний. Спробуємо ще раз, нічого не втрачено",
			troubleInside:      "Журнал дзвінків не вдалося звірити через внутрішню помилку. Спробуємо ще раз, нічого не втрачено",
		},
		later:  "Журнал дзвінків Ringostat зараз недоступний. Запустіть імпорт ще раз пізніше: двічі нічого не з’явиться",
		silent: "Вебхуки надходять, а журнал дзвінків уже кілька днів порожній. Перевірте, чи ключ API від цього проєкту",
	},
	"ru": {
		trouble: map[trouble]string{
			troubleKey:         "Ringostat не принимает ключ API. Возьмите ключ в кабинете Ringostat (Интеграция, Ringostat API) и впишите его в настройки",
			troubleUnreadable:  "По адресу API Ringostat отвечает не журнал звонков. Проверьте api_url",
			troubleUnreachable: "Журнал звонков Ringostat сейчас недоступен. Попробуем ещё раз, ничего не потеряно",
			troubleInside:      "Журнал звонков не удалось сверить из-за внутренней ошибки. Попробуем ещё раз, ничего не потеряно",
		},
		later:  "Журнал звонков Ringostat сейчас недоступен. Запустите импорт ещё раз позже: дважды ничего не появится",
		silent: "Вебхуки приходят, а журнал звонков уже несколько дней пуст. Проверьте, от этого ли проекта ключ API",
	},
	"en": {
		trouble: map[trouble]string{
			troubleKey:         "Ringostat refuses the API key. Take the key from Ringostat (Integration, Ringostat API) and put it into the settings",
			troubleUnreadable:  "What answers at the address of Ringostat's API is not the call log. Check api_url",
			troubleUnreachable: "Ringostat's call log can't be reached at the moment. It is tried again; nothing is lost",
			troubleInside:      "The call log could not be compared because of an internal error. It is tried again; nothing is lost",
		},
		later:  "Ringostat's call log can't be reached at the moment. Import again later; nothing comes twice",
		silent: "Webhooks come, but the call log has been empty for days. Check that the API key belongs to this project",
	},
}

func words(locale string) vocabulary {
	if v, ok := vocabularies[locale]; ok {
		return v
	}
	return vocabularies["en"]
}
