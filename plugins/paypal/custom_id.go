package main

import "strings"

// maxCustomID is PayPal's limit.
const maxCustomID = 127

// customID is what a payment or refund carries of ours: the id of the attempt
// or refund, and of the hub, so that two hubs on one account know their own.
// PayPal has one field for both.
func customID(id, instance string) string {
	if instance == "" {
		return id
	}
	return id + ":" + instance
}

// readCustomID takes it apart. What was made before hubs named themselves has
// only the first part.
func readCustomID(custom string) (id, instance string) {
	id, instance, _ = strings.Cut(custom, ":")
	return id, instance
}
