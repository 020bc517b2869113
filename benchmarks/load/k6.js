import http from "k6/http";

const rate = Number(__ENV.RATE), users = Number(__ENV.USERS), duration = `${__ENV.SECONDS}s`;

export const options = {
  discardResponseBodies: true,
  maxRedirects: 0,
  summaryTrendStats: ["p(50)", "p(99)"],
  scenarios: {
    all: rate
      ? { executor: "constant-arrival-rate", rate, timeUnit: "1s", duration, preAllocatedVUs: users }
      : { executor: "constant-vus", vus: users, duration },
  },
};

export default function () {
  http.get(__ENV.URL);
}

export function handleSummary(data) {
  const times = data.metrics.http_req_duration.values;
  const told = [times["p(50)"] / 1000, times["p(99)"] / 1000, data.metrics.http_req_failed.values.passes];
  return { [__ENV.RESULT]: JSON.stringify(told) };
}
