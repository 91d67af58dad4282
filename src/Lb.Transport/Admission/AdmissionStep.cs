namespace Lb.Transport;

/// <summary>
/// Decides on a client by the address that its PROXY header names: comes after that step. What <see cref="AdmissionDoor"/> does with clients at the accept is
/// done here within their session.
/// </summary>
/// <param name="holdTime">How long a client is held at most: <see cref="GatewayOptions.TarpitTimeout"/>.</param>
internal sealed class AdmissionStep(TimeSpan holdTime) : IPreludeStep
{
    // It is read meanwhile, because its end matters; what it sends is kept, so there must be an end to that too.
    private const int MostKept = 16 * 1024;

    public TimeSpan Timeout => holdTime;

    public RelayEnd? TimedOut => null;

    public PreludeResult Begin(TcpPrelude prelude, out RelayEnd end)
    {
        end = RelayEnd.Denied;
        AdmissionDecision decision = Ask(prelude, again: false);
        switch (decision.Action)
        {
            case AccessAction.Allow:
                return PreludeResult.Done;
            case AccessAction.Tarpit when prelude.TryHold(new AdmissionHold(prelude.Now, holdTime, IsDelayed: false)):
            case AccessAction.Delay when prelude.TryHold(new AdmissionHold(prelude.Now, AdmissionDoor.NextLook(holdTime, decision.Wait), IsDelayed: true)):
                return PreludeResult.NeedMore;
            case AccessAction.SilentDrop:
                prelude.Vanish();
                return PreludeResult.Refused;
            default:
                return PreludeResult.Refused;
        }
    }

    public PreludeResult Look(TcpPrelude prelude, ReadOnlySpan<byte> bytes, bool isEnd, out int consumed, out RelayEnd end)
    {
        consumed = 0;
        end = RelayEnd.Denied;

        // Its bytes, and that it has finished sending, are for those who come after.
        if (!prelude.IsDue) return bytes.Length > MostKept ? PreludeResult.Refused : PreludeResult.NeedMore;
        AdmissionHold hold = prelude.Hold!;
        if (!hold.IsDelayed) return PreludeResult.Refused;
        AdmissionDecision decision = Ask(prelude, again: true);
        TimeSpan left = holdTime - prelude.Since(hold.Since);
        if (decision.Action == AccessAction.Delay && left > TimeSpan.Zero)
        {
            prelude.LookAgain(AdmissionDoor.NextLook(left, decision.Wait));
            return PreludeResult.NeedMore;
        }

        prelude.LetGo();
        if (decision.Action == AccessAction.Allow) return PreludeResult.Done;
        if (decision.Action == AccessAction.Delay) prelude.Admission.GiveUp(decision.Reason);
        return PreludeResult.Refused;
    }

    private static AdmissionDecision Ask(TcpPrelude prelude, bool again)
    {
        AdmissionDecision decision = prelude.Admission.Decide(prelude.Source, prelude.Now, again);
        if (decision.Action == AccessAction.Allow) prelude.Admitted(decision.CountedBy);
        return decision;
    }
}

/// <summary>A client that waits to be let in.</summary>
/// <param name="Since">A timestamp.</param>
/// <param name="Wait">Time to the first look after that.</param>
/// <param name="IsDelayed">It is asked again; one in a tarpit is refused in the end.</param>
internal sealed record AdmissionHold(long Since, TimeSpan Wait, bool IsDelayed);
