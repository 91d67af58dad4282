namespace Lb;

/// <summary>Asks servers how much they have to do, for <see cref="RifProbing"/>. Any thread may call, many at a time.</summary>
public interface ILoadProbe
{
    /// <summary>
    /// Asks a server. Returns at once, without waiting for the answer, and does not throw: it is called within a pick. A question may stay without an answer.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="answers">Where the answer goes, soon: an old one does harm.</param>
    void Ask(Server server, ILoadAnswers answers);
}

/// <summary>Takes what servers answered. Any thread may call; never waits.</summary>
public interface ILoadAnswers
{
    /// <summary>Takes an answer, given at this moment.</summary>
    /// <param name="server">The server that was asked.</param>
    /// <param name="inFlight">Requests it works on, from all balancers; 0 or more, else the answer is ignored.</param>
    void Answer(Server server, int inFlight);
}
