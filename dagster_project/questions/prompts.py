"""Prompts: how to go about a question that needs several tools."""

from typing import Any

from mcp.server.mcpserver import MCPServer

_HOUSE = (
    "Name for each number its metric, its filters, the count behind it and how fresh the data is. "
    "Where a value is null, say that there was nothing to count. Do not guess causes that the data does not show."
)


def add(server: MCPServer[Any]) -> None:
    """Add the prompts to a server."""

    @server.prompt(title="Weekly review")
    def weekly_review(week: str = "last", language: str = "es") -> str:
        """A supervisor's review of a week: waits, targets, backlog, when and with whom to do what."""
        return (
            f"Review the week ({week}; last is the last full one) for a support supervisor, in the language "
            f"{language!r}, on one page. Call freshness first. Then ask query_metric, grain=week, for chats_created, "
            "first_response_p50, first_response_p90, sla_overall_rate, resolution_p50 and backlog_open; heatmap for "
            "the slowest slot, and heatmap_cell for what is behind it; query_metric with scope=agent and "
            "scope=department for first_response_p50. Compare with the week before. End with at most three things to "
            "do next week. " + _HOUSE
        )

    @server.prompt(title="Why is it slow?")
    def why_slow(week: str = "last", department: str = "") -> str:
        """Finds when, where and with whom customers waited longest in a week."""
        whose = f" of the department {department!r}" if department else ""
        return (
            f"Find out when and where customers{whose} waited longest for a first response in the week ({week}; last "
            "is the last full one). Call heatmap, then heatmap_cell for the two slowest slots, then query_metric for "
            "first_response_p50 and chats_created by department, channel and agent, and backlog_waiting_for_pickup by "
            "day. Say which part of the waiting each finding explains, by counts. " + _HOUSE
        )
