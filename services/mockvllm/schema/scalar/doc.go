// Package scalar has the validators of single values, with the conversions that pydantic-core makes in lax mode.
package scalar
