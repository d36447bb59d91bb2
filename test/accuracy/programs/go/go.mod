module ghostspan.test/accuracy

go 1.21
