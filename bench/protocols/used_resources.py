"""used_resources.py CORE COMMAND...: runs a command on one core, counts the lines that it prints, and prints as JSON what
it took: CPU seconds, largest resident memory, lines, its last line."""
import json
import os
import resource
import subprocess
import sys

core = int(sys.argv[1])
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: os.sched_setaffinity(0, {core}))
lines, tail = 0, b''
while True:
    block = child.stdout.read1(1 << 20)
    if not block:
        break
    lines += block.count(b'\n')
    tail = (tail + block)[-65536:]
status = child.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
last = tail.decode('utf8', 'replace').rstrip('\n').rsplit('\n', 1)[-1]
print(json.dumps({'status': status, 'cpuS': used.ru_utime + used.ru_stime, 'rssMiB': used.ru_maxrss / 1024,
                  'lines': lines, 'last': last}))
