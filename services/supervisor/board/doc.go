// Package board is where everything that is known of the models hangs: which there are, what runs of each, and what every unit
// last said of itself. It decides nothing. Whoever changes something there wakes all who watch, and each state of it has a
// revision, by which gateways say what they have seen.
//
//	model.go     a model and its instances
//	board.go     they come, go and change
//	update.go    what a unit says, and who hears of it
//	depend.go    what a model needs of others
//	snapshot.go  all of it as gateways see it
package board
