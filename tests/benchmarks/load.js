// k6's part of `benchmarks.load`: requests at a constant rate, whatever becomes of them (an open loop).
import grpc from 'k6/net/grpc';
import http from 'k6/http';
import { Trend } from 'k6/metrics';

const task = JSON.parse(open(__ENV.TASK));
const body = open(task.body);
const message = task.http ? null : JSON.parse(body);
const client = new grpc.Client();
if (!task.http) client.load([task.protos], task.proto);
const answer = new Trend('answer', true);

export const options = {
  discardResponseBodies: true,
  scenarios: {
    load: {
      executor: 'constant-arrival-rate',
      rate: Math.max(1, Math.round(60 * task.rate)),
      timeUnit: '1m',
      duration: `${task.seconds}s`,
      gracefulStop: `${task.timeout}s`,
      preAllocatedVUs: task.workers,
    },
  },
};

let connected = false;

export default function () {
  if (!task.http && !connected) {
    client.connect(task.address, { plaintext: true });
    connected = true;
  }
  const start = Date.now();
  const params = { timeout: `${task.timeout}s` };
  const found = task.http
    ? http.post(`http://${task.address}${task.call}`, body, { ...params, headers: { 'Content-Type': 'application/json' } })
    : client.invoke(task.call, message, params);
  answer.add(task.http ? found.timings.duration : Date.now() - start, { code: String(found.status) });
}
