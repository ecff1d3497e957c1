// Package models knows by which names requests may ask for the model and its adapters, and loads and unloads these.
package models
