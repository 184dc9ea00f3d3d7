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

// assign sets a typed field from YAML's value or an environment's text.
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
	}
	if !isText {
		text = fmt.Sprint(raw)
	}
	var err error
	switch t := target.(type) {
	case *int:
		if *t, err = strconv.Atoi(text); err != nil {
			return errors.New("must be a whole number")
		}
	case *float64:
		if *t, err = strconv.ParseFloat(text, 64); err != nil {
			return errors.New("must be a number")
		}
	case *bool:
		if *t, err = strconv.ParseBool(text); err != nil {
			return errors.New("must be true or false")
		}
	case *time.Duration:
		if *t, err = time.ParseDuration(text); err != nil {
			return errors.New("must be a duration with its unit, as 20s, 5m or 23h")
		}
	default:
		panic(fmt.Sprintf("config: a target of type %T", target))
	}
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
