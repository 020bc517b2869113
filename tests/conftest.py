"""What stands beside this file (projects, samples) can be imported by the tests in every folder below it."""
