"""Trains with two processes on this machine that find each other through TF_CONFIG, as two machines would.

python scripts/two_workers.py reproductions.aylien --runs=1000 --output_dir=output/together
python scripts/two_workers.py reproductions.mnist --num_steps=2000

Each process is given both addresses and its own index:

  TF_CONFIG='{"cluster": {"worker": ["localhost:4001", "localhost:4002"]}, "task": {"type": "worker", "index": 0}}' \
    python -m reproductions.aylien --runs=1000 --strategy=multiworker

On several machines, use their addresses and run the command on each with its own index. The first, the chief, writes the files.
Ctrl-C stops both after the same iteration; --resume resumes. The exit status is the larger of the two.
"""

import json
import os
import socket
import subprocess
import sys


def free_ports(count):
    """Ports of this machine that nothing is listening on at the moment."""
    servers = [socket.create_server(('localhost', 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def start(command, outputs=(None, None)):
    """Starts two processes of a Python command, [words] after the interpreter; `outputs` are files for their output."""
    addresses, command = [f'localhost:{port}' for port in free_ports(2)], [sys.executable, *map(str, command)]
    processes = []
    for i, output in enumerate(outputs):
        config = {'cluster': {'worker': addresses}, 'task': {'type': 'worker', 'index': i}}
        environment = os.environ | {'TF_CONFIG': json.dumps(config)}
        processes.append(subprocess.Popen(command, stdout=output, stderr=output and subprocess.STDOUT, env=environment))
    return processes


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        print(__doc__)
        return 0 if {'--help', '-h'} & set(sys.argv) else 2
    processes = start(['-m', *sys.argv[1:], '--strategy=multiworker'])
    while True:
        try:
            return max(128 - status if status < 0 else status for status in [process.wait() for process in processes])
        except KeyboardInterrupt:  # both received it too, and end by themselves
            continue


if __name__ == '__main__':
    sys.exit(main())
