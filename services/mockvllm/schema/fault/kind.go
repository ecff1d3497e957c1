package fault

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is a type of pydantic's errors with its text, the parameters filled in (pydantic-core's errors/types.rs).
type Kind struct{ Name, Msg string }

// With fills the {} of the text, of which there are as many as arguments.
func (k Kind) With(args ...string) Kind {
	var b strings.Builder
	parts := strings.Split(k.Msg, "{}")
	for i, arg := range args[:len(parts)-1] {
		b.WriteString(parts[i] + arg)
	}
	b.WriteString(parts[len(parts)-1])
	return Kind{k.Name, b.String()}
}

// WithPlural fills in a number of characters.
func (k Kind) WithPlural(n int) Kind {
	plural := "s"
	if n == 1 {
		plural = ""
	}
	return k.With(strconv.Itoa(n), plural)
}

// Lengths fills in what kind of container it is, its bound and its length.
func (k Kind) Lengths(field string, limit, actual int) Kind {
	plural := "s"
	if limit == 1 {
		plural = ""
	}
	return k.With(field, strconv.Itoa(limit), plural, strconv.Itoa(actual))
}

// ValueError is a ValueError that a validator raised inside of the schema.
func ValueError(msg string) Kind { return Kind{"value_error", fmt.Sprintf("Value error, %s", msg)} }

// Missing and the others are the types that a decoded body can meet.
var (
	Missing             = Kind{"missing", "Field required"}
	ExtraForbidden      = Kind{"extra_forbidden", "Extra inputs are not permitted"}
	UnexpectedKeyword   = Kind{"unexpected_keyword_argument", "Unexpected keyword argument"}
	ModelAttributesType = Kind{"model_attributes_type", "Input should be a valid dictionary or object to extract fields from"}
	ModelType           = Kind{"model_type", "Input should be a valid dictionary or instance of {}"}
	DataclassType       = Kind{"dataclass_type", "Input should be a dictionary or an instance of {}"}
	IsInstanceOf        = Kind{"is_instance_of", "Input should be an instance of {}"}
	NoneRequired        = Kind{"none_required", "Input should be None"}
	BoolType            = Kind{"bool_type", "Input should be a valid boolean"}
	BoolParsing         = Kind{"bool_parsing", "Input should be a valid boolean, unable to interpret input"}
	IntType             = Kind{"int_type", "Input should be a valid integer"}
	IntParsing          = Kind{"int_parsing", "Input should be a valid integer, unable to parse string as an integer"}
	IntParsingSize      = Kind{"int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size"}
	IntFromFloat        = Kind{"int_from_float", "Input should be a valid integer, got a number with a fractional part"}
	FloatType           = Kind{"float_type", "Input should be a valid number"}
	FloatParsing        = Kind{"float_parsing", "Input should be a valid number, unable to parse string as a number"}
	FiniteNumber        = Kind{"finite_number", "Input should be a finite number"}
	GreaterThan         = Kind{"greater_than", "Input should be greater than {}"}
	GreaterThanEqual    = Kind{"greater_than_equal", "Input should be greater than or equal to {}"}
	LessThan            = Kind{"less_than", "Input should be less than {}"}
	LessThanEqual       = Kind{"less_than_equal", "Input should be less than or equal to {}"}
	StringType          = Kind{"string_type", "Input should be a valid string"}
	StringUnicode       = Kind{"string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string"}
	StringTooShort      = Kind{"string_too_short", "String should have at least {} character{}"}
	StringTooLong       = Kind{"string_too_long", "String should have at most {} character{}"}
	StringPattern       = Kind{"string_pattern_mismatch", "String should match pattern '{}'"}
	BytesType           = Kind{"bytes_type", "Input should be a valid bytes"}
	LiteralError        = Kind{"literal_error", "Input should be {}"}
	EnumError           = Kind{"enum", "Input should be {}"}
	ListType            = Kind{"list_type", "Input should be a valid list"}
	TupleType           = Kind{"tuple_type", "Input should be a valid tuple"}
	DictType            = Kind{"dict_type", "Input should be a valid dictionary"}
	IterableType        = Kind{"iterable_type", "Input should be iterable"}
	TooShort            = Kind{"too_short", "{} should have at least {} item{} after validation, not {}"}
	TooLong             = Kind{"too_long", "{} should have at most {} item{} after validation, not {}"}
	UnionTagNotFound    = Kind{"union_tag_not_found", "Unable to extract tag using discriminator {}"}
	UnionTagInvalid     = Kind{"union_tag_invalid", "Input tag '{}' found using {} does not match any of the expected tags: {}"}
	SequenceStr         = Kind{"sequence_str", "'str' instances are not allowed as a Sequence value"}
)
