"""The channel that the customer used, then sms, then email: the first that can be used is taken (G2)."""

from cases.vocabulary import Channel

FALLBACKS = [Channel.SMS, Channel.EMAIL]


def routes(channel: Channel) -> list[Channel]:
    """The channels to try for a customer who came through `channel`, best first.

    A hotline caller is answered in writing as well: a text message to the number they called from.
    """
    return list(dict.fromkeys([channel, *FALLBACKS]))
