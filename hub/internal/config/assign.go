package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var yamlLine = regexp.MustCompile(`line \d+`)

// assign sets a typed field from YAML's value or an environment's text. After
// an error the field is as it was.
func assign(target, raw any) error {
	text, isText := raw.(string)
	switch t := target.(type) {
	case *string:
		// YAML reads 0123 as a number, and as 83: only text is taken for text.
		if !isText {
			return errors.New("must be text: put it in quotes")
		}
		*t = text
		return nil
	case *[]string:
		list, ok := texts(raw)
		if !ok {
			return errors.New("must be a list of texts; separated by commas in the environment")
		}
		*t = list
		return nil
	case *[]time.Duration:
		list, ok := texts(raw)
		var all []time.Duration
		for _, text := range list {
			d, err := time.ParseDuration(text)
			ok = ok && err == nil
			all = append(all, d)
		}
		if !ok {
			return errors.New("must be a list of durations with their units, as 1m, 5m, 1h; separated by commas in the environment")
		}
		*t = all
		return nil
	}
	if !isText {
		text = fmt.Sprint(raw)
	}
	switch t := target.(type) {
	case *int:
		return set(t, text, strconv.Atoi, "must be a whole number")
	case *float64:
		return set(t, text, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }, "must be a number")
	case *bool:
		return set(t, text, strconv.ParseBool, "must be true or false")
	case *time.Duration:
		return set(t, text, time.ParseDuration, "must be a duration with its unit, as 20s, 5m or 23h")
	}
	panic(fmt.Sprintf("config: a target of type %T", target))
}

// set leaves the default where the text is wrong: one fault is one error.
func set[T any](target *T, text string, parse func(string) (T, error), must string) error {
	value, err := parse(text)
	if err != nil {
		return errors.New(must)
	}
	*target = value
	return nil
}

func texts(raw any) ([]string, bool) {
	var list []string
	switch v := raw.(type) {
	case nil:
	case string:
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
	default:
		return nil, false
	}
	return list, true
}
