package protocol

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// decodeBody checks the content type, then decodes a body that must be an object, in this order as vLLM does.
func decodeBody(contentType string, body []byte) (object, *Error) {
	if !isJSON(contentType) {
		return nil, &Error{Status: http.StatusBadRequest, Type: TypeSchema,
			Message: "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed"}
	}
	if len(body) == 0 {
		return nil, schemaError(fault{"missing", "body", "Field required", nil, ""})
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	v, err := decodeJSON(body)
	if err != nil {
		return nil, undecodable(body, err)
	}
	switch v := v.(type) {
	case object:
		return v, nil
	case nil:
		return nil, schemaError(fault{"missing", "body", "Field required", nil, ""})
	default:
		return nil, schemaError(fault{"model_attributes_type", "body",
			notAnObject, v, ""})
	}
}

func undecodable(body []byte, err error) *Error {
	var syntax *syntaxError
	if !errors.As(err, &syntax) {
		return &Error{Status: http.StatusBadRequest, Detail: "There was an error parsing the body"}
	}
	return schemaError(fault{"json_invalid", "body." + strconv.Itoa(syntax.chars(body)), "JSON decode error",
		object{}, "{'error': " + pyRepr(syntax.msg) + "}"})
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return strings.EqualFold(kind, "application/json")
}
