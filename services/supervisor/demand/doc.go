// Package demand starts models on demand when gateways have requests for them, or other models need them, and has them retire when
// nobody does, or when another one of their swap group is to have their place.
package demand
