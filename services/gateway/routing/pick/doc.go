// Package pick chooses one of a model's backends. Every function here is pure: what it has to know of the backends stands
// in the candidates, time has become their warmth, and chance is a number of the caller.
//
//	candidates ──Usable──► those that should be asked ──Choose──► one of them
//	                                                      │ a session goes where it went before (Rendezvous), else by policy:
//	                                                      ├ least_load       LeastLoad
//	                                                      ├ prefix_affinity  Affinity
//	                                                      └ round_robin, weighted  smooth
package pick
