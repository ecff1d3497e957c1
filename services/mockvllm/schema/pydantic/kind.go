package pydantic

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is a type of pydantic's errors with its text, the parameters filled in (pydantic-core's errors/types.rs).
type kind struct{ name, msg string }

// with fills the {} of the text, of which there are as many as arguments.
func (k kind) with(args ...string) kind {
	var b strings.Builder
	parts := strings.Split(k.msg, "{}")
	for i, arg := range args[:len(parts)-1] {
		b.WriteString(parts[i] + arg)
	}
	b.WriteString(parts[len(parts)-1])
	return kind{k.name, b.String()}
}

// withPlural fills in a number of characters.
func (k kind) withPlural(n int) kind {
	plural := "s"
	if n == 1 {
		plural = ""
	}
	return k.with(strconv.Itoa(n), plural)
}

// lengths fills in what kind of container it is, its bound and its length.
func (k kind) lengths(field string, limit, actual int) kind {
	plural := "s"
	if limit == 1 {
		plural = ""
	}
	return k.with(field, strconv.Itoa(limit), plural, strconv.Itoa(actual))
}

// valueError is a ValueError that a validator raised inside of the schema.
func valueError(msg string) kind { return kind{"value_error", fmt.Sprintf("Value error, %s", msg)} }

var (
	missing             = kind{"missing", "Field required"}
	extraForbidden      = kind{"extra_forbidden", "Extra inputs are not permitted"}
	unexpectedKeyword   = kind{"unexpected_keyword_argument", "Unexpected keyword argument"}
	modelAttributesType = kind{"model_attributes_type", "Input should be a valid dictionary or object to extract fields from"}
	dataclassType       = kind{"dataclass_type", "Input should be a dictionary or an instance of {}"}
	isInstanceOf        = kind{"is_instance_of", "Input should be an instance of {}"}
	noneRequired        = kind{"none_required", "Input should be None"}
	boolType            = kind{"bool_type", "Input should be a valid boolean"}
	boolParsing         = kind{"bool_parsing", "Input should be a valid boolean, unable to interpret input"}
	intType             = kind{"int_type", "Input should be a valid integer"}
	intParsing          = kind{"int_parsing", "Input should be a valid integer, unable to parse string as an integer"}
	intParsingSize      = kind{"int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size"}
	intFromFloat        = kind{"int_from_float", "Input should be a valid integer, got a number with a fractional part"}
	floatType           = kind{"float_type", "Input should be a valid number"}
	floatParsing        = kind{"float_parsing", "Input should be a valid number, unable to parse string as a number"}
	finiteNumber        = kind{"finite_number", "Input should be a finite number"}
	greaterThan         = kind{"greater_than", "Input should be greater than {}"}
	greaterThanEqual    = kind{"greater_than_equal", "Input should be greater than or equal to {}"}
	lessThan            = kind{"less_than", "Input should be less than {}"}
	lessThanEqual       = kind{"less_than_equal", "Input should be less than or equal to {}"}
	stringType          = kind{"string_type", "Input should be a valid string"}
	stringUnicode       = kind{"string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string"}
	stringTooShort      = kind{"string_too_short", "String should have at least {} character{}"}
	stringTooLong       = kind{"string_too_long", "String should have at most {} character{}"}
	stringPattern       = kind{"string_pattern_mismatch", "String should match pattern '{}'"}
	bytesType           = kind{"bytes_type", "Input should be a valid bytes"}
	literalError        = kind{"literal_error", "Input should be {}"}
	enumError           = kind{"enum", "Input should be {}"}
	listType            = kind{"list_type", "Input should be a valid list"}
	tupleType           = kind{"tuple_type", "Input should be a valid tuple"}
	dictType            = kind{"dict_type", "Input should be a valid dictionary"}
	iterableType        = kind{"iterable_type", "Input should be iterable"}
	tooShort            = kind{"too_short", "{} should have at least {} item{} after validation, not {}"}
	tooLong             = kind{"too_long", "{} should have at most {} item{} after validation, not {}"}
	unionTagNotFound    = kind{"union_tag_not_found", "Unable to extract tag using discriminator {}"}
	unionTagInvalid     = kind{"union_tag_invalid", "Input tag '{}' found using {} does not match any of the expected tags: {}"}
	sequenceStr         = kind{"sequence_str", "'str' instances are not allowed as a Sequence value"}
)
