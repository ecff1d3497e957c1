// Package stored answers requests for responses: it keeps them where there is a store, makes some in the background, and tells
// and cancels those that it has.
package stored
