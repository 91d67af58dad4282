namespace Lb.Vrrp;

/// <summary>State of a virtual router (RFC 9568 6.4; keepalived says MASTER for Active).</summary>
public enum RouterState
{
    /// <summary>Not started, or stopped.</summary>
    Initialize,

    /// <summary>Another node has the addresses; this one watches it.</summary>
    Backup,

    /// <summary>This node has the addresses (RFC 3768 and keepalived: master).</summary>
    Active,

    /// <summary>It may not take part: the link is down, something tracked without a weight has failed (keepalived FAULT).</summary>
    Fault,

    /// <summary>It has resigned by an advert of priority 0 and goes on answering until its successor is heard: make before break.</summary>
    Resigning,
}
