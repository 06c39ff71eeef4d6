// Writes what Go's client gets.
package main

import (
	"io"
	"net/http"
	"os"
)

func main() {
	answer, err := http.Get(os.Getenv("URL"))
	if err != nil {
		panic(err)
	}
	io.Copy(os.Stdout, answer.Body)
}
