"""The private function that Cloud Tasks and Cloud Scheduler call. A task names what to look at; the handler makes the world match the state (law 4)."""
