// A Go service: main PROGRAM-FOLDER WORK…, see handle. Calls go to /m/<marker>/<number> of the backend.
package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

var backend = "127.0.0.1:" + os.Getenv("BACKEND_PORT")
var work = map[string]bool{}
var idle = make(chan net.Conn, 4096)
var jobs = make(chan job)

var kept = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, MaxIdleConns: 1000}}
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
var tight = &http.Client{Transport: &http.Transport{MaxConnsPerHost: 8, MaxIdleConnsPerHost: 8}}

type job struct {
	path string
	done chan bool
}

// On a connection used by the caller's own goroutine, as clients of databases do.
func direct(path string) {
	var connection net.Conn
	select {
	case connection = <-idle:
	default:
		var problem error
		if connection, problem = net.Dial("tcp", backend); problem != nil {
			panic(problem)
		}
	}
	fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: b\r\n\r\n", path)
	answer, problem := http.ReadResponse(bufio.NewReader(connection), nil)
	if problem != nil {
		connection.Close()
		return
	}
	io.Copy(io.Discard, answer.Body)
	idle <- connection
}

// With net/http's client, whose requests are written by goroutines of its own.
func through(client *http.Client, path string) {
	answer, problem := client.Get("http://" + backend + path)
	if problem != nil {
		fmt.Fprintln(os.Stderr, problem)
		return
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

func nap(mostMillis int) {
	time.Sleep(time.Duration(rand.Intn(mostMillis*1000)) * time.Microsecond)
}

func together(calls ...func()) {
	var all sync.WaitGroup
	for _, each := range calls {
		all.Add(1)
		go func(call func()) {
			defer all.Done()
			call()
		}(each)
	}
	all.Wait()
}

func handle(marker string) {
	path := func(number int) string { return fmt.Sprintf("/m/%s/%d", marker, number) }
	if work["direct"] {
		direct(path(1))
		nap(3)
		direct(path(2))
	}
	if work["spawn"] { // two levels
		together(func() {
			direct(path(3))
			together(func() { direct(path(4)) })
		})
	}
	if work["deep"] { // the goroutine in the middle makes no call
		together(func() { together(func() { direct(path(5)) }) })
	}
	if work["fan"] {
		together(func() { direct(path(6)) }, func() { direct(path(7)) }, func() { direct(path(8)) })
	}
	if work["client"] {
		through(kept, path(9))
		nap(3)
		together(func() { through(kept, path(10)) }, func() { through(kept, path(11)) })
		through(kept, path(12))
	}
	if work["fresh"] {
		through(fresh, path(13))
		through(fresh, path(14))
	}
	if work["tight"] { // waits for a connection that others free
		through(tight, path(15))
		through(tight, path(16))
	}
	if work["channel"] { // goroutines that live for ever
		done := make(chan bool)
		jobs <- job{path(17), done}
		<-done
	}
	if work["late"] { // outlives its request
		go func() {
			time.Sleep(time.Millisecond)
			nap(9)
			direct(path(18))
		}()
	}
}

func background(who int) {
	for number := 0; ; number++ {
		time.Sleep(6 * time.Millisecond)
		nap(12)
		path := fmt.Sprintf("/m/B%d-%d/1", who, number)
		if who%2 == 0 {
			direct(path)
		} else {
			through(kept, path)
		}
	}
}

func main() {
	for _, each := range os.Args[2:] {
		work[each] = true
	}
	for i := 0; i < 8 && work["channel"]; i++ {
		go func() {
			for each := range jobs {
				direct(each.path)
				each.done <- true
			}
		}()
	}
	for who := 0; who < 4 && work["background"]; who++ {
		go background(who)
	}
	http.HandleFunc("/m/", func(answer http.ResponseWriter, request *http.Request) {
		marker := strings.Split(request.URL.Path, "/")[2]
		handle(marker)
		fmt.Fprintf(answer, "{\"m\":\"%s\"}\n", marker)
	})
	if problem := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); problem != nil {
		panic(problem)
	}
}
